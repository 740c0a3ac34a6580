using System.Globalization;
using System.Text;

namespace Weft.Cli.Observing;

/// <param name="Labels">By name.</param>
public sealed record MetricSample(string Name, IReadOnlyDictionary<string, string> Labels, double Value);

/// <summary>Prometheus' text format 0.0.4, as far as proxies write it: samples with labels, no time stamps. Pure.</summary>
public static class PrometheusReader
{
    /// <summary>Lines that are no samples are passed over.</summary>
    /// <param name="wanted">By name; null: all.</param>
    public static IEnumerable<MetricSample> Read(string text, Func<string, bool>? wanted = null)
    {
        foreach (var line in text.AsSpan().EnumerateLines().ToList())
        {
            if (line.Length == 0 || line[0] == '#')
                continue;
            var end = line.AsSpan().IndexOfAny('{', ' ');
            if (end <= 0 || wanted?.Invoke(line[..end]) == false)
                continue;
            var labels = new Dictionary<string, string>();
            var at = end;
            if (line[at] == '{' && !TryLabels(line, ref at, labels))
                continue;
            if (double.TryParse(line.AsSpan(at).Trim(), CultureInfo.InvariantCulture, out var value))
                yield return new MetricSample(line[..end], labels, value);
        }
    }

    // A value ends with the first quote that is not escaped; `\\`, `\"` and `\n` are the escapes there are.
    private static bool TryLabels(string line, ref int at, Dictionary<string, string> labels)
    {
        at++;
        while (at < line.Length && line[at] != '}')
        {
            var equals = line.IndexOf('=', at);
            if (equals < 0 || equals + 1 >= line.Length || line[equals + 1] != '"')
                return false;
            var name = line[at..equals].TrimStart(',', ' ');
            var value = new StringBuilder();
            for (at = equals + 2; at < line.Length && line[at] != '"'; at++)
            {
                if (line[at] == '\\' && at + 1 < line.Length)
                    value.Append(line[++at] == 'n' ? '\n' : line[at]);
                else
                    value.Append(line[at]);
            }

            if (at >= line.Length)
                return false;
            at++;
            labels[name] = value.ToString();
        }

        at++;
        return at <= line.Length;
    }

    private static List<string> ToList(this SpanLineEnumerator lines)
    {
        var all = new List<string>();
        foreach (var line in lines)
            all.Add(line.ToString());
        return all;
    }
}
