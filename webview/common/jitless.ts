/**
 * To be imported before any schema is made: the page's policy forbids code made of text, which zod would otherwise try.
 */
import { config } from 'zod';

config({ jitless: true });
