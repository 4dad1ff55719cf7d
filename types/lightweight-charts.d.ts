// The global that web/vendor/lightweight-charts.standalone.production.js defines, with the package's own types.

import * as LightweightCharts from 'lightweight-charts';
export = LightweightCharts;
export as namespace LightweightCharts;
