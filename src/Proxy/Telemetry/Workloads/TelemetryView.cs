using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Forwarding;
using Weft.Proxy.Telemetry.Access.Text;
using Weft.Proxy.Telemetry.Tracing;

namespace Weft.Proxy.Telemetry.Workloads;

/// <summary>What one side of a workload tells of its requests, compiled.</summary>
/// <param name="Tracing">Null: traces are passed on, and not taken part in.</param>
/// <param name="Spans">Whose its spans are, of <see cref="SpanSources"/>; 0: nobody's.</param>
/// <param name="Fields">Of requests, that its spans have as attributes; null: none.</param>
/// <param name="Log">Which requests are logged; null: all.</param>
/// <param name="Metrics">Changes of its series, of the table of <see cref="SeriesRules"/>; 0: none.</param>
internal sealed record TelemetryView(TracingSettings? Tracing, int Spans, LogFields? Fields, bool Logged, LogRule? Log, int Metrics)
{
    public static readonly TelemetryView Default = new(null, 0, null, true, null, 0);

    /// <param name="spans">The number of <paramref name="source"/>.</param>
    /// <param name="trustDecision">Whether the sender's decision to sample counts: not where strangers send.</param>
    public static TelemetryView Of(SideTelemetry side, SpanSource? source, int spans, bool trustDecision, ProxyNames names) =>
        new(
            side.Trace is { } traced ? new TracingSettings((int)Math.Round(traced.Percent * 10_000), trustDecision) : null, spans, source?.Fields(),
            side.Logged, side.Log, side.Metrics.IsEmpty ? 0 : names.SeriesRules.Intern(new SeriesRules(side.Metrics)));
}

/// <summary>One side of a workload for as long as it is there: open connections find the newest view here.</summary>
internal sealed class TelemetryCell
{
    private TelemetryView _view = TelemetryView.Default;

    public TelemetryView Current => Volatile.Read(ref _view);

    /// <summary>What it tells from now on. One caller at a time, as of <see cref="End"/>.</summary>
    /// <param name="trustDecision">As of <see cref="TelemetryView.Of"/>.</param>
    public void Publish(SideTelemetry side, SpanResource of, bool isClient, bool trustDecision, ProxyNames names)
    {
        var source = side.Trace is { } trace ? new SpanSource(trace.Collector, of, isClient, trace.Tags) : null;
        var before = _view.Spans;
        var stays = source is not null && before != 0 && names.SpanSources[before] == source;
        var spans = stays ? before : source is null ? 0 : names.SpanSources.Take(source);
        Volatile.Write(ref _view, TelemetryView.Of(side, source, spans, trustDecision, names));
        if (!stays)
            names.SpanSources.GiveBack(before);
    }

    /// <summary>The workload is gone; what is under way is told as before.</summary>
    public void End(ProxyNames names) => names.SpanSources.GiveBack(_view.Spans);
}

/// <summary>What a collector calls a workload.</summary>
/// <param name="Service">`service.name`: the workload's canonical name.</param>
internal sealed record SpanResource(string Service, string Namespace, string Pod, string Node);

/// <summary>Whose a span is, and who gets it.</summary>
/// <param name="IsClient">The span of who sends; otherwise of who is called.</param>
internal sealed record SpanSource(string Collector, SpanResource Resource, bool IsClient, ValueList<SpanTag> Tags)
{
    public static readonly SpanSource Nobody = new("", new SpanResource("", "", "", ""), false, []);

    /// <summary>The fields of requests that its tags are of, numbered in the order of the tags.</summary>
    public LogFields? Fields()
    {
        var fields = new LogFields();
        foreach (var tag in Tags.Where(tag => tag.Header is not null))
            fields.Add(Encoding.UTF8.GetBytes(tag.Header!), response: false);
        return fields.IsEmpty ? null : fields;
    }
}

/// <summary>Changes of the series of a workload's side.</summary>
internal sealed record SeriesRules(ValueList<MetricChange> Changes)
{
    public static readonly SeriesRules None = new([]);

    public bool Leaves(string metric)
    {
        var disabled = false;
        foreach (var change in Changes)
            disabled = change.Metric is null || change.Metric == metric ? change.Disabled ?? disabled : disabled;
        return !disabled;
    }

    /// <summary>The labels of a series of this metric: without those that are removed, and with those that are set.</summary>
    public (string Name, string Value)[] Apply(string metric, (string Name, string Value)[] labels)
    {
        var list = labels.ToList();
        foreach (var label in Changes.Where(change => change.Metric is null || change.Metric == metric).SelectMany(change => change.Labels))
        {
            var at = list.FindIndex(one => one.Name == label.Name);
            if (label.Value is not { } value)
                list.RemoveAll(one => one.Name == label.Name);
            else if (at < 0)
                list.Add((label.Name, value));
            else
                list[at] = (label.Name, value);
        }

        return [.. list];
    }
}
