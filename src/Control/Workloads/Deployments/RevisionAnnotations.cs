using System.Globalization;
using Weft.Api;
using Weft.Api.Apps;
using Weft.Control.Runtime;

namespace Weft.Control.Workloads;

/// <summary>What a Deployment notes on its replica sets; kubectl's history and undo read it.</summary>
internal static class RevisionAnnotations
{
    public const string Revision = "deployment.kubernetes.io/revision";
    public const string History = "deployment.kubernetes.io/revision-history";
    public const string DesiredReplicas = "deployment.kubernetes.io/desired-replicas";
    public const string MaxReplicas = "deployment.kubernetes.io/max-replicas";
    private const string LastApplied = "kubectl.kubernetes.io/last-applied-configuration";
    private const string RollbackTo = "deprecated.deployment.rollback.to";

    // As Kubernetes: the list of earlier numbers of one set may not grow for ever.
    private const int MaxHistoryLength = 2000;

    /// <summary>0 when there is none.</summary>
    public static long RevisionOf(IObject value) => Number(value.Annotation(Revision)) ?? 0;

    public static long? Number(string? text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>The set's annotations, with those of its Deployment (change-cause among them) and its number; an old number moves into the history.</summary>
    public static IReadOnlyDictionary<string, string> ForNewSet(Deployment deployment, IReadOnlyDictionary<string, string> existing, long revision)
    {
        var result = new Dictionary<string, string>(existing);
        foreach (var (name, value) in deployment.Metadata.Annotations)
        {
            if (name is not (LastApplied or Revision or History or DesiredReplicas or MaxReplicas or RollbackTo))
                result[name] = value;
        }

        var before = Number(existing.GetValueOrDefault(Revision));
        if (before is null || before < revision)
        {
            result[Revision] = Text(revision);
            if (before is not null)
                result[History] = AddToHistory(existing.GetValueOrDefault(History), Text(before.Value));
        }

        return result;
    }

    public static IReadOnlyDictionary<string, string> WithSizes(IReadOnlyDictionary<string, string> annotations, int desired, int max) =>
        new Dictionary<string, string>(annotations) { [DesiredReplicas] = Text(desired), [MaxReplicas] = Text(max) };

    public static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string AddToHistory(string? history, string revision)
    {
        if (string.IsNullOrEmpty(history))
            return revision;
        var numbers = history.Split(',').Where(number => number != revision).Append(revision).ToList();
        while (numbers.Count > 1 && string.Join(',', numbers).Length > MaxHistoryLength)
            numbers.RemoveAt(0);
        return string.Join(',', numbers);
    }
}
