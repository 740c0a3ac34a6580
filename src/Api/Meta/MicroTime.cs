using System.Globalization;

namespace Weft.Api;

/// <summary>A time with microseconds, as leases and events carry it: `2006-01-02T15:04:05.000000Z`.</summary>
public readonly record struct MicroTime(DateTimeOffset Value) : IComparable<MicroTime>
{
    private const string Format = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";

    public static implicit operator DateTimeOffset(MicroTime time) => time.Value;
    public static implicit operator MicroTime(DateTimeOffset value) => new(value);

    public int CompareTo(MicroTime other) => Value.CompareTo(other.Value);
    public static bool operator <(MicroTime left, MicroTime right) => left.CompareTo(right) < 0;
    public static bool operator >(MicroTime left, MicroTime right) => left.CompareTo(right) > 0;
    public static bool operator <=(MicroTime left, MicroTime right) => left.CompareTo(right) <= 0;
    public static bool operator >=(MicroTime left, MicroTime right) => left.CompareTo(right) >= 0;

    public override string ToString() => Value.UtcDateTime.ToString(Format, CultureInfo.InvariantCulture);
}
