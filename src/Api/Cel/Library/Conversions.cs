using System.Globalization;
using System.Text;

namespace Weft.Api.Cel.Library;

/// <summary>int(), double(), string() and so on.</summary>
internal static class Conversions
{
    public static IEnumerable<Overload> All =>
    [
        Overload.Of("dyn(A):dyn", (_, a) => a[0]),
        Overload.Of("type(A):type", (_, a) => TypeOf(a[0])),

        Overload.Of("int(int):int", (_, a) => a[0]),
        Overload.Of("int(uint):int", (_, a) => (ulong)a[0]! <= long.MaxValue ? (long)(ulong)a[0]! : new CelFailure("integer overflow")),
        Overload.Of("int(double):int", (_, a) => Math.Abs((double)a[0]!) < 9.223372036854775e18 ? (long)(double)a[0]! : new CelFailure("integer overflow")),
        Overload.Of("int(string):int", (_, a) => long.TryParse((string)a[0]!, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : Cannot(a[0], "int")),
        Overload.Of("int(timestamp):int", (_, a) => ((DateTimeOffset)a[0]!).ToUnixTimeSeconds()),
        Overload.Of("int(duration):int", (_, a) => (long)((TimeSpan)a[0]!).TotalSeconds),

        Overload.Of("uint(uint):uint", (_, a) => a[0]),
        Overload.Of("uint(int):uint", (_, a) => (long)a[0]! >= 0 ? (ulong)(long)a[0]! : new CelFailure("unsigned integer overflow")),
        Overload.Of("uint(double):uint", (_, a) => (double)a[0]! is >= 0 and < 1.8446744073709550e19 ? (ulong)(double)a[0]! : new CelFailure("unsigned integer overflow")),
        Overload.Of("uint(string):uint", (_, a) => ulong.TryParse((string)a[0]!, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : Cannot(a[0], "uint")),

        Overload.Of("double(double):double", (_, a) => a[0]),
        Overload.Of("double(int):double", (_, a) => (double)(long)a[0]!),
        Overload.Of("double(uint):double", (_, a) => (double)(ulong)a[0]!),
        Overload.Of("double(string):double", (_, a) => double.TryParse((string)a[0]!, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : Cannot(a[0], "double")),

        Overload.Of("bool(bool):bool", (_, a) => a[0]),
        Overload.Of("bool(string):bool", (_, a) => (string)a[0]! switch
        {
            "1" or "t" or "T" or "true" or "TRUE" or "True" => true,
            "0" or "f" or "F" or "false" or "FALSE" or "False" => false,
            _ => Cannot(a[0], "bool"),
        }),

        Overload.Of("bytes(bytes):bytes", (_, a) => a[0]),
        Overload.Of("bytes(string):bytes", (_, a) => Encoding.UTF8.GetBytes((string)a[0]!)),

        Overload.Of("string(string):string", (_, a) => a[0]),
        Overload.Of("string(bool):string", (_, a) => (bool)a[0]! ? "true" : "false"),
        Overload.Of("string(int):string", (_, a) => CelText.Shown(a[0])),
        Overload.Of("string(uint):string", (_, a) => CelText.Shown(a[0])),
        Overload.Of("string(double):string", (_, a) => CelText.Shown(a[0])),
        Overload.Of("string(bytes):string", (_, a) => Utf8((byte[])a[0]!)),
        Overload.Of("string(timestamp):string", (_, a) => CelTime.Shown((DateTimeOffset)a[0]!)),
        Overload.Of("string(duration):string", (_, a) => CelTime.Shown((TimeSpan)a[0]!)),
        Overload.Of("string(ip):string", (_, a) => ((CelIp)a[0]!).Address.ToString()),
        Overload.Of("string(cidr):string", (_, a) => $"{((CelCidr)a[0]!).Address}/{((CelCidr)a[0]!).Bits}"),

        Overload.Of("timestamp(timestamp):timestamp", (_, a) => a[0]),
        Overload.Of("timestamp(string):timestamp", (_, a) => CelTime.ParseTimestamp((string)a[0]!) is { } time ? time : Cannot(a[0], "timestamp")),
        Overload.Of("timestamp(int):timestamp", (_, a) => (long)a[0]! is >= -62135596800 and <= 253402300799 and var seconds ? DateTimeOffset.FromUnixTimeSeconds(seconds) : new CelFailure("timestamp overflow")),
        Overload.Of("duration(duration):duration", (_, a) => a[0]),
        Overload.Of("duration(string):duration", (_, a) => CelTime.ParseDuration((string)a[0]!) is { } span ? span : Cannot(a[0], "duration")),
        Overload.Of("duration(int):duration", (_, a) => Math.Abs((double)(long)a[0]!) < 9e11 ? TimeSpan.FromSeconds((long)a[0]!) : new CelFailure("duration overflow")),
    ];

    private static CelFailure Cannot(object? value, string type) => new($"type conversion error from '{CelText.Shown(value)}' to {type}");

    private static object Utf8(byte[] bytes) =>
        System.Text.Unicode.Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : new CelFailure("invalid UTF-8 in bytes, cannot convert to string");

    private static object TypeOf(object? value) => CelType.Plain(value switch
    {
        null => CelKind.Null,
        bool => CelKind.Bool,
        long => CelKind.Int,
        ulong => CelKind.Uint,
        double => CelKind.Double,
        string => CelKind.String,
        byte[] => CelKind.Bytes,
        DateTimeOffset => CelKind.Timestamp,
        TimeSpan => CelKind.Duration,
        CelList => CelKind.List,
        CelMap => CelKind.Map,
        CelOptional => CelKind.Optional,
        CelUrl => CelKind.Url,
        CelIp => CelKind.Ip,
        CelCidr => CelKind.Cidr,
        Quantity => CelKind.Quantity,
        CelFormat => CelKind.Format,
        _ => CelKind.Type,
    });
}
