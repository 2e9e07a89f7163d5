// The language of the page: `t` has its texts.
import { english } from './english.js';

export const t = english;
