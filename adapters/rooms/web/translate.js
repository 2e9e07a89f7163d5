// Translates a page without other scripts: the forms to sign in and to register.
import { translatePage } from './language.js';

translatePage();
