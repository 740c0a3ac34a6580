using System.Globalization;

namespace Weft.Control.Workloads;

/// <summary>Sets of indexes as the status of a job writes them: `0,2-4`.</summary>
public static class Indexes
{
    /// <summary>What cannot be read is left out: the text is the server's own, or a rule that validation has let in.</summary>
    public static SortedSet<int> Parse(string? text, int completions)
    {
        var all = new SortedSet<int>();
        foreach (var part in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var dash = part.IndexOf('-');
            if (!Number(dash < 0 ? part : part[..dash], out var first) || !Number(dash < 0 ? part : part[(dash + 1)..], out var last))
                continue;
            for (var index = first; index <= Math.Min(last, completions - 1); index++)
                all.Add(index);
        }
        return all;
    }

    public static string Write(IEnumerable<int> indexes)
    {
        var parts = new List<string>();
        int? first = null, last = null;
        foreach (var index in indexes.Order())
        {
            if (last is { } before && index == before + 1)
            {
                last = index;
                continue;
            }
            Flush();
            (first, last) = (index, index);
        }
        Flush();
        return string.Join(',', parts);

        void Flush()
        {
            // Two neighbours stand apart, as Kubernetes writes them: 1,2 but 1-3.
            if (first is { } from && last is { } to)
                parts.AddRange(to == from ? [Text(from)] : to == from + 1 ? [Text(from), Text(to)] : [$"{Text(from)}-{Text(to)}"]);
        }
    }

    private static bool Number(string text, out int number) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
