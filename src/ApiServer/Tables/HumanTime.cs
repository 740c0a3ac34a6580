using System.Globalization;
using System.Text.Json.Nodes;

namespace Weft.ApiServer.Tables;

/// <summary>Ages as kubectl shows them: two units while the second still matters, then one.</summary>
internal static class HumanTime
{
    internal static string Since(JsonNode? timestamp, DateTimeOffset now) =>
        timestamp is JsonValue value && value.TryGetValue<string>(out var text)
        && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? Duration(now - time)
            : "<unknown>";

    internal static string Duration(TimeSpan duration)
    {
        var seconds = (long)duration.TotalSeconds;
        if (seconds < -1)
            return "<invalid>";
        if (seconds < 0)
            return "0s";
        if (seconds < 120)
            return $"{seconds}s";

        var minutes = seconds / 60;
        if (minutes < 10)
            return Two(minutes, "m", seconds % 60, "s");
        if (minutes < 180)
            return $"{minutes}m";

        var hours = minutes / 60;
        if (hours < 8)
            return Two(hours, "h", minutes % 60, "m");
        if (hours < 48)
            return $"{hours}h";
        if (hours < 8 * 24)
            return Two(hours / 24, "d", hours % 24, "h");
        if (hours < 2 * 365 * 24)
            return $"{hours / 24}d";
        if (hours < 8 * 365 * 24)
            return Two(hours / 24 / 365, "y", hours / 24 % 365, "d");
        return $"{hours / 24 / 365}y";
    }

    private static string Two(long first, string firstUnit, long second, string secondUnit) =>
        second == 0 ? $"{first}{firstUnit}" : $"{first}{firstUnit}{second}{secondUnit}";
}
