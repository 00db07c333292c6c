/** All that a script adds to the pages: buttons that copy, and the documents' search. */
import { copyButtons } from "./copy";
import { searchField } from "./field";

copyButtons();
searchField();
// From now on style/parts.css shows what needs a script.
document.documentElement.classList.add("scripted");
