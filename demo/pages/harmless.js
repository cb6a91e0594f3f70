// Elements and attributes that neither run nor fetch anything.
const words = (text) => new Set(text.trim().split(/\s+/))

export const ELEMENTS = words(`
  html head body title style
  header footer main nav aside section article address h1 h2 h3 h4 h5 h6 hgroup search
  p div span pre code blockquote q hr br wbr ul ol li dl dt dd menu figure figcaption center font
  a abbr b bdi bdo cite data del dfn em i ins kbd mark rp rt ruby s samp small strong strike sub sup time tt u var
  table caption colgroup col thead tbody tfoot tr td th
  form label input textarea select optgroup option datalist button fieldset legend output progress meter
  details summary dialog slot img picture
  svg g path rect circle ellipse line polyline polygon text tspan defs use symbol clippath lineargradient
  radialgradient stop mask pattern title desc marker`)

export const ATTRIBUTES = words(`
  id class style title lang dir hidden role for type value placeholder checked selected disabled readonly required
  multiple rows cols size maxlength min max step pattern colspan rowspan span scope headers width height alt label open
  start reversed align valign bgcolor color border cellpadding cellspacing low high optimum datetime wrap list
  inputmode rr_width rr_height rr_left rr_top rr_scrollleft rr_scrolltop _csstext
  xmlns viewbox preserveaspectratio x y x1 y1 x2 y2 cx cy r rx ry d points transform fill fill-opacity fill-rule
  clip-rule clip-path stroke stroke-width stroke-linecap stroke-linejoin stroke-dasharray stroke-dashoffset
  stroke-opacity stroke-miterlimit opacity offset stop-color stop-opacity gradientunits gradienttransform fx fy
  font-size font-family font-weight text-anchor dominant-baseline dx dy mask patternunits markerwidth markerheight
  refx refy orient`)

/** A shadow root can be attached to these only. */
export const SHADOW_HOSTS = words('article aside blockquote body div footer h1 h2 h3 h4 h5 h6 header main nav p section span')
