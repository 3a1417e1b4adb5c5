/** What happened in one epoch. */
export interface EpochRecord {
  readonly epoch: number;
  readonly testAccuracy: number;
  readonly testLoss: number;
}

/**
 * A picture of the training as SVG text: the loss of every step with its moving average, the test loss of every epoch, and the
 * test accuracy.
 */
export async function lossCurveSvg(
  losses: readonly number[],
  stepsPerEpoch: number,
  epochs: readonly EpochRecord[],
  title: string,
): Promise<string> {
  // Loaded here, because it takes longer to load than the first epoch should wait.
  const echarts = await import('echarts');
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: 960, height: 540 });
  const epochOf = (step: number) => (step + 1) / stepsPerEpoch;
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    title: { text: title, left: 'center', top: 12, textStyle: { fontSize: 18 } },
    legend: { top: 44 },
    grid: { left: 70, right: 80, top: 92, bottom: 60 },
    xAxis: {
      type: 'value',
      name: 'epoch',
      nameLocation: 'middle',
      nameGap: 30,
      min: 0,
      max: Math.max(1, epochs.length),
    },
    yAxis: [
      { type: 'value', name: 'loss (cross-entropy)', min: 0, nameTextStyle: { align: 'left' } },
      {
        type: 'value',
        name: 'test accuracy',
        max: 1,
        min: (range: { min: number }) => Math.floor(Math.min(range.min, 0.9) * 10) / 10,
        splitLine: { show: false },
        axisLabel: { formatter: (value: number) => `${Math.round(value * 100)} %` },
      },
    ],
    series: [
      {
        name: 'batch loss',
        type: 'line',
        showSymbol: false,
        lineStyle: { width: 1, opacity: 0.35, color: '#7c93b8' },
        itemStyle: { color: '#7c93b8' },
        data: losses.map((loss, step) => [epochOf(step), round(loss)]),
      },
      {
        name: 'moving average',
        type: 'line',
        showSymbol: false,
        lineStyle: { width: 2.5, color: '#2f5fd0' },
        itemStyle: { color: '#2f5fd0' },
        data: movingAverage(losses, 0.9).map((loss, step) => [epochOf(step), round(loss)]),
      },
      {
        name: 'test loss',
        type: 'line',
        symbolSize: 8,
        lineStyle: { width: 2, type: 'dashed', color: '#d9822b' },
        itemStyle: { color: '#d9822b' },
        data: epochs.map(({ epoch, testLoss }) => [epoch, round(testLoss)]),
      },
      {
        name: 'test accuracy',
        type: 'line',
        yAxisIndex: 1,
        symbol: 'diamond',
        symbolSize: 10,
        lineStyle: { width: 2, color: '#2b9a66' },
        itemStyle: { color: '#2b9a66' },
        data: epochs.map(({ epoch, testAccuracy }) => [epoch, testAccuracy]),
      },
    ],
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

const round = (value: number): number => Math.round(value * 1e4) / 1e4;

/** Exponential, corrected for its start. */
function movingAverage(values: readonly number[], keep: number): number[] {
  let sum = 0;
  let weight = 0;
  return values.map((value) => {
    sum = keep * sum + (1 - keep) * value;
    weight = keep * weight + (1 - keep);
    return sum / weight;
  });
}
