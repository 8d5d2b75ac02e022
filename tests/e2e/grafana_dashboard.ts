// What Grafana's own package says a dashboard is: a document that is written below this line compiles where all of its keys and values
// are known there. `tests/e2e/monitor_rules.py` appends it.
import type {
  AnnotationQuery,
  Dashboard,
  DataQuery,
  FieldConfigSource,
  GraphFieldConfig,
  Panel,
  RowPanel,
  VariableModel,
} from '@grafana/schema';
import type { Options } from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

// The package has no type of a query of Prometheus: these are the keys of the data source's documentation.
interface PrometheusQuery extends DataQuery {
  expr: string;
  interval?: string;
  legendFormat?: string;
  range?: boolean;
}

// Neither has it the keys of marks that the data source adds.
interface PrometheusMarks extends Omit<AnnotationQuery<PrometheusQuery>, 'target'> {
  target: PrometheusQuery;
  tagKeys?: string;
  titleFormat?: string;
}

interface TimeSeries extends Omit<Panel, 'type' | 'options' | 'fieldConfig' | 'targets'> {
  type: 'timeseries';
  options: Options;
  fieldConfig: Omit<FieldConfigSource, 'defaults'> & {
    defaults: Omit<FieldConfigSource['defaults'], 'custom'> & { custom: GraphFieldConfig };
  };
  targets: PrometheusQuery[];
}

interface Whole extends Omit<Dashboard, 'panels' | 'annotations' | 'templating'> {
  annotations: { list: PrometheusMarks[] };
  panels: Array<TimeSeries | RowPanel>;
  templating: { list: VariableModel[] };
}

// As it is written in JSON: a member of an enumeration is its value.
type Written<T> = T extends string
  ? `${T}`
  : T extends number
    ? `${T}` extends `${infer N extends number}`
      ? N
      : T
    : T extends object
      ? { [K in keyof T]: Written<T[K]> }
      : T;

export const dashboard: Written<Whole> =
