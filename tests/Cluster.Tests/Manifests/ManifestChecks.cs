using System.Text.RegularExpressions;

namespace Weft.Cluster.Tests.Manifests;

/// <summary>What a manifest promises, read from its first comment lines, in their order.</summary>
internal abstract partial record ManifestCheck
{
    /// <summary>`expect: URL => TEXT`: asked from a pod of the namespace, the answer contains the text.</summary>
    internal sealed record Answers(string Url, string Text) : ManifestCheck;

    /// <summary>`refuse: URL`: a pod that the policies do not name gets no answer.</summary>
    internal sealed record Refused(string Url) : ManifestCheck;

    /// <summary>`same: URL`: twenty questions get one and the same answer.</summary>
    internal sealed record Same(string Url) : ManifestCheck;

    /// <summary>`logs: ARGUMENTS => TEXT`: as `kubectl logs` shows them.</summary>
    internal sealed record Logs(IReadOnlyList<string> Arguments, string Text) : ManifestCheck;

    /// <summary>`exists: TYPE/NAME`.</summary>
    internal sealed record Exists(string Name) : ManifestCheck;

    /// <summary>`patch: TYPE/NAME JSON`: a merge patch, as a user would send it.</summary>
    internal sealed record Patch(string Name, string Json) : ManifestCheck;

    /// <summary>`restart: POD`: deletes it, and waits for the next of the same name.</summary>
    internal sealed record Restart(string Pod) : ManifestCheck;

    /// <summary>`trigger: cronjob/NAME => TEXT`: a run made by hand logs the text.</summary>
    internal sealed record Trigger(string CronJob, string Text) : ManifestCheck;

    internal static IReadOnlyList<ManifestCheck> Parse(string manifest) =>
    [
        .. manifest.Split('\n').TakeWhile(line => line.StartsWith('#')).Select(line => Line().Match(line)).Where(match => match.Success)
            .Select(match => Of(match.Groups["verb"].Value, match.Groups["what"].Value, match.Groups["text"].Value)),
    ];

    private static ManifestCheck Of(string verb, string what, string text) => verb switch
    {
        "expect" => new Answers(what, text),
        "refuse" => new Refused(what),
        "same" => new Same(what),
        "logs" => new Logs(what.Split(' '), text),
        "exists" => new Exists(what),
        "patch" => new Patch(what[..what.IndexOf(' ', StringComparison.Ordinal)], what[(what.IndexOf(' ', StringComparison.Ordinal) + 1)..]),
        "restart" => new Restart(what),
        "trigger" => new Trigger(what, text),
        _ => throw new InvalidDataException($"'{verb}' is no check"),
    };

    [GeneratedRegex("^# (?<verb>[a-z]+): (?<what>.+?)( => (?<text>.+))?$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Line();
}
