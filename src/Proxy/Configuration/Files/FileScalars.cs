using System.Globalization;

namespace Weft.Proxy.Configuration.Files;

/// <summary>Texts of the file as values of the model.</summary>
internal static class FileScalars
{
    private static readonly (string Unit, double Milliseconds)[] Durations = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];
    private static readonly (string Unit, long Bytes)[] Sizes = [("KB", 1 << 10), ("MB", 1 << 20), ("GB", 1 << 30)];

    /// <summary>Null with a sentence about what is expected.</summary>
    public static object? Read(Type type, string text, out string expected)
    {
        expected = "";
        if (type == typeof(string))
            return text;
        if (type == typeof(bool))
        {
            expected = "true or false";
            return text switch { "true" => true, "false" => false, _ => null };
        }

        if (type == typeof(TimeSpan))
        {
            expected = "a duration such as 250ms, 30s, 5m or 1h";
            return Duration(text);
        }

        if (type == typeof(int) || type == typeof(long))
        {
            expected = "a number, or a size such as 64KB or 10MB";
            return Number(text) is not { } number ? null : type == typeof(long) ? number : number is >= int.MinValue and <= int.MaxValue ? (int)number : null;
        }

        if (type == typeof(double))
        {
            expected = "a number or a percentage such as 0.1 or 10%";
            var percent = text.EndsWith('%');
            return double.TryParse(percent ? text[..^1] : text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) ? percent ? value / 100 : value : null;
        }

        var names = Enum.GetNames(type);
        expected = "one of " + string.Join(", ", names.Select(Camel));
        return names.FirstOrDefault(n => Camel(n) == text) is { } name ? Enum.Parse(type, name) : null;
    }

    public static string Camel(string name) => char.ToLowerInvariant(name[0]) + name[1..];

    private static TimeSpan? Duration(string text)
    {
        if (text == "0")
            return TimeSpan.Zero;
        // `ms` before `s`, `m` behind `ms`: the first unit that fits the end.
        foreach (var (unit, milliseconds) in Durations)
        {
            if (text.EndsWith(unit, StringComparison.Ordinal) && double.TryParse(text.AsSpan(0, text.Length - unit.Length), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)
                && value * milliseconds < TimeSpan.FromDays(3650).TotalMilliseconds)
                return TimeSpan.FromMilliseconds(value * milliseconds);
        }

        return null;
    }

    private static long? Number(string text)
    {
        foreach (var (unit, bytes) in Sizes)
        {
            if (text.EndsWith(unit, StringComparison.Ordinal))
                return long.TryParse(text.AsSpan(0, text.Length - 2), NumberStyles.None, CultureInfo.InvariantCulture, out var size) && size < long.MaxValue / bytes ? size * bytes : null;
        }

        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;
    }
}
