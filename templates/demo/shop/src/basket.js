// Counts what was put into the basket.

const count = document.querySelector("#count");
let products = 0;

for (const button of document.querySelectorAll(".buy")) {
  button.addEventListener("click", () => {
    products += 1;
    count.textContent = products;
  });
}
