namespace Weft.Cli.Demo.Tour.Steps;

/// <summary>Weights and a match by header: a new version for one of ten, and for those who ask for it.</summary>
internal sealed class CanaryStep() : TourStep("Canary: the new catalogue for one of ten requests, and for every tester", "tour-1-canary.yaml")
{
    private const int Requests = 200;
    internal const string Tester = "x-tester: yes";

    internal override async Task<IReadOnlyList<Finding>> TryAsync(TourGuide guide, CancellationToken cancellationToken)
    {
        var page = $"{guide.Door}/shop.json";
        var all = await guide.Visitor.AskAsync(page, Requests, cancellationToken);
        var testers = (await guide.Visitor.AskAsync(page, 20, cancellationToken, Tester)).Where(visit => visit.Succeeded).ToList();
        var (first, second) = (all.Count(visit => visit.Version == "v1"), all.Count(visit => visit.Version == "v2"));
        // Some of the new version's answers are failures, as the next step shows. Five deviations of a binomial distribution are left on each side.
        return
        [
            new(first is > 158 and < 200 && second is > 0 and < 42, $"{Requests} requests: v1 answered {first}, v2 {second}, and {Requests - first - second} failed in v2", $"curl {guide.Door}/"),
            new(testers.Count > 0 && testers.TrueForAll(visit => visit.Version == "v2"), $"every tester's answer came from v2 ({testers.Count} of {testers.Count})", $"curl -H '{Tester}' {guide.Door}/"),
        ];
    }
}
