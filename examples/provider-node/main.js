// A paymux provider plugin: AlipayHK and Alipay CN through the acquirer CBTIS.
import { serve } from './plugin/serve.js';
import { Service } from './plugin/service.js';
import * as cbtis from './cbtis/plugin.js';

serve(new Service(cbtis));
