// Elements and attributes that neither run nor fetch anything. docs/browser.md tells for each kind why.
const words = (text: string) => new Set(text.trim().split(/\s+/))

/** Shown as they are. */
const ELEMENTS = words(`
  html head body title style
  header footer main nav aside section article address h1 h2 h3 h4 h5 h6 hgroup search
  p div span pre code blockquote q hr br wbr ul ol li dl dt dd menu figure figcaption center font big nobr
  a abbr b bdi bdo cite data del dfn em i ins kbd mark rp rt ruby s samp small strong strike sub sup time tt u var
  table caption colgroup col thead tbody tfoot tr td th
  form label input textarea select optgroup option datalist button fieldset legend output progress meter
  details summary dialog slot img picture video audio
  svg g path rect circle ellipse line polyline polygon text tspan defs use symbol clippath lineargradient
  radialgradient stop mask pattern title desc marker switch foreignobject filter`)

/** Parts of SVG filters, other than the one that fetches an image. */
const EFFECT = /^fe(?!image)[a-z]+$/

export const isShown = (tag: string) => ELEMENTS.has(tag) || EFFECT.test(tag)

/** Keep their place in the document, and nothing else. */
export const NEVER_SHOWN = words(`
  script noscript template base meta param source track area frame frameset noembed noframes applet bgsound portal
  fencedframe`)

/** Have content of their own, which is replaced by an image of the same size. */
export const EMBEDDED = words('iframe object embed canvas')

/** Names with a hyphen that are not custom elements. */
const RESERVED = words(`
  annotation-xml color-profile font-face font-face-src font-face-uri font-face-format font-face-name missing-glyph`)

/** A custom element is an element without behaviour of its own: rrweb defines an empty class. */
export const isCustomName = (tag: string) => /^[a-z][a-z0-9._]*-[a-z0-9._-]*$/.test(tag) && !RESERVED.has(tag)

/** Allowed on every element, with any plain value. */
const PLAIN = words(`
  id class title lang dir hidden inert role for type value placeholder checked selected disabled readonly required
  multiple rows cols size maxlength min max step colspan rowspan span scope headers width height alt label open start
  reversed align valign bgcolor color face nowrap border cellpadding cellspacing low high optimum datetime wrap list
  inputmode popover slot part exportparts controls media ng-version rr_left rr_top rr_scrollleft rr_scrolltop
  xmlns viewbox preserveaspectratio x y x1 y1 x2 y2 cx cy r rx ry d dx dy fx fy points transform transform-origin
  pathlength rotate opacity visibility display overflow offset orient refx refy spreadmethod letter-spacing
  paint-order vector-effect shape-rendering dominant-baseline alignment-baseline filter filterunits primitiveunits
  in in2 result mode values operator k1 k2 k3 k4 stddeviation radius scale tablevalues slope intercept order
  basefrequency numoctaves seed`)

/** Families of attributes, of which all members paint, and may refer to a part of the page. */
const PAINTING = /^(?:fill|stroke|stop|flood|font|text|clip|mask|marker|pattern|gradient)[a-z-]*$/

export const isHarmless = (name: string) => PLAIN.has(name) || PAINTING.test(name)

/** Hooks for style sheets: their names and values mean nothing to a browser. */
export const isHook = (name: string) =>
  /^(?:aria-[a-z]+|data-[a-z0-9_.:-]+|_ng(?:content|host)-[a-z0-9_-]+)$/.test(name)

/** Attributes that browsers act upon, which custom elements do not get either. Each other name is a hook for them. */
const ACTIVE = words(`
  accesskey action archive attributionsrc autofocus background cite classid code codebase content contenteditable data
  formaction href http-equiv imagesrcset is itemid itemtype longdesc lowsrc dynsrc manifest name nonce ping poster
  profile src srcdoc srcset tabindex target usemap`)
export const isHookOfCustom = (name: string) => /^(?!on|rr_|csp-)_?[a-z][a-z0-9_.-]*$/.test(name) && !ACTIVE.has(name)

/** Attributes that may refer to a part of the page. Styles are left to the policy of the page. */
export const isReference = (name: string) => PAINTING.test(name) || name === 'filter'

/** SVG elements whose `href` may refer to a part of the page. */
export const REFERRING = words('use lineargradient radialgradient pattern')

/** Elements whose `name` has an effect inside the page. That of a form or an image hides a method of the document. */
export const NAMED = words('input slot details')

/** A shadow root can be attached to these and to custom elements only. */
export const SHADOW_HOSTS = words(`
  article aside blockquote body div footer h1 h2 h3 h4 h5 h6 header main nav p section span`)
