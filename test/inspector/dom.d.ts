// What playwright-core's types mention of the DOM. Declared here, because tests run in node, where the
// compiler shall refuse the rest of it.
interface Node {
  readonly nodeName: string;
}
interface HTMLElement extends Node {
  readonly lang: string;
}
interface SVGElement extends Node {
  readonly viewportElement: SVGElement | null;
}
interface HTMLElementTagNameMap {
  readonly html: HTMLElement;
}
