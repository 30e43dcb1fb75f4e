// The template editor: a tag's button puts the tag where the cursor stands, and the preview follows.
const body = document.getElementById("body");

for (const button of document.querySelectorAll("[data-sign-tag]")) {
  button.addEventListener("click", () => {
    const tag = `{${button.dataset.signTag}}`;
    body.setRangeText(tag, body.selectionStart, body.selectionEnd, "end");
    body.dispatchEvent(new Event("input", { bubbles: true }));
    body.focus();
  });
}
