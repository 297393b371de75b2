/**
 * Must be imported before any schema is created: the page's policy forbids code from text, which zod would try
 * otherwise.
 */
import { config } from 'zod';

config({ jitless: true });
