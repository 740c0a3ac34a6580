using Weft.Cluster.Tests.Kit;

namespace Weft.Cluster.Tests.Proxies;

/// <param name="Version">`HTTP/1.1`, `HTTP/2`.</param>
internal sealed record CurlAnswer(int Status, string Version, ILookup<string, string> Fields, string Body)
{
    public string? Field(string name) => Fields[name].FirstOrDefault();
}

/// <summary>The real curl.</summary>
internal static class Curl
{
    public static async Task<CurlAnswer> AskAsync(params IEnumerable<string> arguments)
    {
        var text = (await Shell.RunAsync("curl", ["-sS", "-i", "--max-time", "30", .. arguments])).Succeeded().Replace("\r\n", "\n", StringComparison.Ordinal);
        CurlAnswer answer;
        do
        {
            // Informational answers and those of a redirect come before the one that counts.
            var end = text.IndexOf("\n\n", StringComparison.Ordinal);
            answer = Head(text[..end]) with { Body = text[(end + 2)..] };
            text = answer.Body;
        }
        while (text.StartsWith("HTTP/", StringComparison.Ordinal));
        return answer;
    }

    /// <summary>Many requests by one curl: an address may have `[1-200]`. Bodies are left out.</summary>
    public static async Task<IReadOnlyList<CurlAnswer>> AskManyAsync(params IEnumerable<string> arguments)
    {
        var text = (await Shell.RunAsync("curl", ["-sS", "-D", "-", "-o", "/dev/null", "--max-time", "60", .. arguments])).Succeeded();
        return [.. text.Replace("\r\n", "\n", StringComparison.Ordinal).Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Select(Head)];
    }

    /// <summary>For what must not be answered.</summary>
    public static async Task<int> FailAsync(params IEnumerable<string> arguments)
    {
        var result = await Shell.RunAsync("curl", ["-sS", "--max-time", "30", .. arguments]);
        Assert.NotEqual(0, result.ExitCode);
        return result.ExitCode;
    }

    private static CurlAnswer Head(string text)
    {
        var lines = text.Split('\n');
        var start = lines[0].Split(' ');
        return new(int.Parse(start[1]), start[0], lines.Skip(1).Select(line => line.Split(": ", 2)).ToLookup(pair => pair[0].ToLowerInvariant(), pair => pair.ElementAtOrDefault(1) ?? ""), "");
    }
}
