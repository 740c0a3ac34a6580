using System.Globalization;
using System.Text;

namespace Weft.Proxy.Telemetry.Metrics;

/// <summary>The text format of Prometheus, version 0.0.4.</summary>
internal sealed class PrometheusText(TextWriter to)
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly StringBuilder _labels = new();

    public void Family(string name, string type, string help) => to.Write($"# HELP {name} {help}\n# TYPE {name} {type}\n");

    public void Sample(string name, string labels, long value) => to.Write($"{name}{Braces(labels)} {value.ToString(CultureInfo.InvariantCulture)}\n");

    public void Sample(string name, string labels, double value) => to.Write($"{name}{Braces(labels)} {Number(value)}\n");

    /// <summary>`_bucket` (cumulative), `_sum` and `_count` of one series.</summary>
    public void Histogram(string name, string labels, in Histogram histogram)
    {
        var comma = labels.Length == 0 ? "" : ",";
        long below = 0;
        for (var i = 0; i <= Metrics.Histogram.Bounds.Length; i++)
        {
            below += histogram.Count(i);
            var bound = i < Metrics.Histogram.Bounds.Length ? Number(Metrics.Histogram.Bounds[i]) : "+Inf";
            to.Write($"{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {below.ToString(CultureInfo.InvariantCulture)}\n");
        }

        Sample(name + "_sum", labels, histogram.Sum);
        // Of the same reading as the last bucket: the two must agree.
        Sample(name + "_count", labels, below);
    }

    /// <summary>`a="b",c="d"`. Values come from names of users and peers, so what would end the text is escaped.</summary>
    public string Labels(ReadOnlySpan<(string Name, string Value)> labels)
    {
        _labels.Clear();
        foreach (var (name, value) in labels)
        {
            _labels.Append(_labels.Length == 0 ? "" : ",").Append(name).Append("=\"");
            foreach (var character in value)
            {
                _ = character switch
                {
                    '\\' => _labels.Append("\\\\"),
                    '"' => _labels.Append("\\\""),
                    '\n' => _labels.Append("\\n"),
                    _ => _labels.Append(character),
                };
            }

            _labels.Append('"');
        }

        return _labels.ToString();
    }

    private static string Braces(string labels) => labels.Length == 0 ? "" : $"{{{labels}}}";

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
