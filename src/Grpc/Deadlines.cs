using System.Globalization;

namespace Weft.Grpc;

internal static class Deadlines
{
    /// <summary>`grpc-timeout`: at most eight digits and a unit.</summary>
    public static string Format(TimeSpan timeout)
    {
        const long MaxDigits = 99_999_999;
        var milliseconds = Math.Max(1, (long)Math.Ceiling(timeout.TotalMilliseconds));
        return milliseconds <= MaxDigits
            ? milliseconds.ToString(CultureInfo.InvariantCulture) + "m"
            : Math.Min(MaxDigits, (long)Math.Ceiling(timeout.TotalSeconds)).ToString(CultureInfo.InvariantCulture) + "S";
    }
}
