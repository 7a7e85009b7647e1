// Making elements. Text only ever goes in as text.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element: h("p", "class names", "text" or children). */
export function h(name, className, content) {
  const element = document.createElement(name);
  if (className) element.className = className;
  fill(element, content);
  return element;
}

/** An SVG element with attributes. */
export function s(name, attributes, content) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  fill(element, content);
  return element;
}

/** Set text, touching the document only when it differs. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function fill(element, content) {
  if (Array.isArray(content)) element.append(...content.filter(Boolean));
  else if (content !== undefined) element.textContent = content;
}
