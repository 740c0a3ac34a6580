using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Weft.Bench.Mesh.Scale;

/// <summary>What a proxy has received over its connections, as the kernel counts it: on the wire, TLS and all.</summary>
internal static partial class Stream
{
    /// <summary>Over all TCP connections of the process to the port.</summary>
    public static long BytesReceived(int pid, int port)
    {
        using var ss = Process.Start(new ProcessStartInfo("ss", ["-tinpHO", "dport", "=", $":{port.ToString(CultureInfo.InvariantCulture)}"]) { RedirectStandardOutput = true })!;
        var text = ss.StandardOutput.ReadToEnd();
        ss.WaitForExit();
        return text.Split('\n').Where(line => line.Contains($"pid={pid.ToString(CultureInfo.InvariantCulture)},", StringComparison.Ordinal))
            .Select(line => Received().Match(line)).Where(match => match.Success).Sum(match => long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture));
    }

    [GeneratedRegex(@"bytes_received:(\d+)")]
    private static partial Regex Received();
}
