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
    /// <summary>Gateway API's: there only when something is left out of what is otherwise in effect.</summary>
    public const string PartiallyInvalid = "PartiallyInvalid";

    private const string Invalid = "Invalid";

    // Both are for people, and an object has a size.
    private const int MaxSentences = 8;
    private const int MaxMessages = 50;
    private const int MaxText = 1000;

    /// <param name="status">As it is.</param>
    /// <param name="rejection">What a proxy says against it; null: nothing.</param>
    public static IstioStatus Plan(IstioStatus status, ObjectVerdict verdict, Progress progress, string? rejection, DateTimeOffset now)
    {
        var refusal = RefusalOf(verdict);
        var accepted = refusal is not null
            ? New(Accepted, "False", refusal, Sentences(verdict.Diagnostics.OrderByDescending(problem => problem.Severity)))
            : New(Accepted, "True", "Accepted", Sentences(verdict.Diagnostics));
        List<IstioCondition> own = [accepted, ProgrammedOf(status, verdict.Generation, refusal, progress, rejection)];
        if (refusal is null && verdict.Diagnostics.Where(problem => problem.Severity == Severity.Unsupported).ToList() is { Count: > 0 } undone)
            own.Add(New(PartiallyInvalid, "True", "UnsupportedValue", Sentences(undone)));
        return status with
        {
            ObservedGeneration = verdict.Generation,
            // What others have written there stays.
            Conditions = [.. status.Conditions.Where(condition => condition.Type is not (Accepted or Programmed or PartiallyInvalid)), .. own.Select(condition => Dated(status, condition, verdict.Generation, now))],
            ValidationMessages = Messages(status, verdict.Diagnostics),
        };
    }

    /// <summary>Why it is not accepted, where all that is wrong has one reason; null: it is.</summary>
    private static string? RefusalOf(ObjectVerdict verdict)
    {
        var reasons = verdict.Diagnostics.Where(problem => problem.Severity == Severity.Error).Select(problem => problem.Reason ?? Invalid).Distinct().ToList();
        return reasons.Count > 1 ? Invalid : reasons.FirstOrDefault();
    }

    /// <summary>
    /// What was once said of this generation holds until there is something else to say: neither a proxy that comes, nor a server that starts anew and has heard of none
    /// yet, makes it less true.
    /// </summary>
    private static IstioCondition ProgrammedOf(IstioStatus status, long generation, string? refusal, Progress progress, string? rejection)
    {
        if (refusal is not null)
            return New(Programmed, "False", refusal, "it is not accepted as it stands: see the condition Accepted");
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
            Severity.Unsupported => (Effects.Unsupported, "WEFT0002"),
            _ when problem.Reason == Effects.Unsupported => (Effects.Unsupported, "WEFT0002"),
            Severity.Error => (Invalid, "WEFT0001"),
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
