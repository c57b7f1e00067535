// The parts of Apache ECharts that the report draws with.
import * as core from "echarts/core";
import { BarChart, CustomChart, HeatmapChart, LineChart, LinesChart, ParallelChart, ScatterChart } from "echarts/charts";
import {
  AriaComponent,
  GridComponent,
  MarkLineComponent,
  ParallelComponent,
  TooltipComponent,
  VisualMapContinuousComponent,
} from "echarts/components";
import { SVGRenderer } from "echarts/renderers";

core.use([
  BarChart, CustomChart, HeatmapChart, LineChart, LinesChart, ParallelChart, ScatterChart,
  AriaComponent, GridComponent, MarkLineComponent, ParallelComponent, TooltipComponent,
  VisualMapContinuousComponent, SVGRenderer,
]);
window.echarts = { init: core.init };
