using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Weft.Api.Istio;
using Weft.Control.Mesh.Diagnostics;

namespace Weft.Control.Mesh.Status;

/// <summary>The status that an object of the mesh should have. Pure; nothing is to be changed when it is planned again.</summary>
internal static class MeshStatusPlanner
{
    public const string Accepted = "Accepted";
    public const string Programmed = "Programmed";

    // Both are for people, and an object has a size.
    private const int MaxSentences = 8;
    private const int MaxMessages = 50;
    private const int MaxText = 1000;

    /// <param name="status">As it is.</param>
    /// <param name="rejection">What a proxy says against it; null: nothing.</param>
    public static IstioStatus Plan(IstioStatus status, ObjectVerdict verdict, Progress progress, string? rejection, DateTimeOffset now)
    {
        var errors = verdict.Diagnostics.Count(problem => problem.Severity == Severity.Error);
        var accepted = errors > 0
            ? New(Accepted, "False", "Invalid", Sentences(verdict.Diagnostics.OrderByDescending(problem => problem.Severity)))
            : New(Accepted, "True", "Accepted", Sentences(verdict.Diagnostics));
        var programmed = ProgrammedOf(status, verdict.Generation, errors > 0, progress, rejection);
        return status with
        {
            ObservedGeneration = verdict.Generation,
            // What others have written there stays.
            Conditions = [.. status.Conditions.Where(condition => condition.Type is not (Accepted or Programmed)), Dated(status, accepted, verdict.Generation, now), Dated(status, programmed, verdict.Generation, now)],
            ValidationMessages = Messages(status, verdict.Diagnostics),
        };
    }

    /// <summary>
    /// What was once said of this generation holds until there is something else to say: neither a proxy that comes, nor a server that starts anew and has heard of none
    /// yet, makes it less true.
    /// </summary>
    private static IstioCondition ProgrammedOf(IstioStatus status, long generation, bool isInvalid, Progress progress, string? rejection)
    {
        if (isInvalid)
            return New(Programmed, "False", "Invalid", "it is not accepted as it stands: see the condition Accepted");
        if (rejection is not null)
            return New(Programmed, "False", "Rejected", Cut(rejection));
        if (progress == Progress.Served)
            return New(Programmed, "True", "Programmed", "every connected proxy serves by it");
        var said = status.Conditions.FirstOrDefault(condition => condition.Type == Programmed && condition.ObservedGeneration == generation);
        if (said is { Reason: "Programmed" or "Rejected" } || (said is { Reason: "Pending" } && progress == Progress.NoProxies))
            return said;
        return progress == Progress.Pending
            ? New(Programmed, "False", "Pending", "not every connected proxy has acknowledged it yet")
            : New(Programmed, "Unknown", "NoProxies", "no proxy is connected");
    }

    private static IstioCondition New(string type, string status, string reason, string message) => new() { Type = type, Status = status, Reason = reason, Message = message.Length == 0 ? null : message };

    private static IstioCondition Dated(IstioStatus status, IstioCondition next, long generation, DateTimeOffset now)
    {
        var old = status.Conditions.FirstOrDefault(condition => condition.Type == next.Type);
        return next with { ObservedGeneration = generation, LastTransitionTime = old?.Status == next.Status ? old.LastTransitionTime ?? now : now };
    }

    private static string Sentences(IEnumerable<MeshDiagnostic> problems)
    {
        var all = problems.ToList();
        var shown = string.Join("; ", all.Take(MaxSentences).Select(problem => Cut($"{problem.Field}: {problem.Message}")));
        return all.Count > MaxSentences ? $"{shown}; and {all.Count - MaxSentences} more" : shown;
    }

    private static IReadOnlyList<JsonObject> Messages(IstioStatus status, ImmutableArray<MeshDiagnostic> problems)
    {
        // Those of others, as Istio's own analyzers, stay.
        List<JsonObject> messages = [.. status.ValidationMessages.Where(message => !IsOwn(message)).Select(message => (JsonObject)message.DeepClone()), .. problems.Take(MaxMessages).Select(Message)];
        return messages;
    }

    private static bool IsOwn(JsonObject message) => (message["type"] as JsonObject)?["code"] is JsonValue code && code.TryGetValue<string>(out var text) && text.StartsWith("WEFT", StringComparison.Ordinal);

    private static JsonObject Message(MeshDiagnostic problem)
    {
        var (name, code) = problem.Severity switch
        {
            Severity.Error => ("Invalid", "WEFT0001"),
            Severity.Unsupported => ("Unsupported", "WEFT0002"),
            _ => ("Questionable", "WEFT0003"),
        };
        return new()
        {
            ["type"] = new JsonObject { ["name"] = name, ["code"] = code }, ["level"] = problem.Severity == Severity.Error ? "ERROR" : "WARNING",
            ["field"] = problem.Field, ["message"] = Cut(problem.Message),
        };
    }

    private static string Cut(string text) => text.Length <= MaxText ? text : text[..MaxText] + "...";
}
