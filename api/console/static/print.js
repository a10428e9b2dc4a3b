// The button is there only where a script can print.
"use strict";
const printButton = document.getElementById("print");
printButton.hidden = false;
printButton.addEventListener("click", () => window.print());
