namespace Weft.Cli.Demo.Tour.Steps;

/// <summary>An endpoint that is up and wrong: found by what it answers, and left out.</summary>
internal sealed class FailoverStep() : TourStep("Failover: one of two pods of v1 breaks, and answers everything with 500", "tour-6-failover.yaml")
{
    private const int Requests = 100;
    private const string Here = "http://127.0.0.1:8080";

    internal override async Task<IReadOnlyList<Finding>> TryAsync(TourGuide guide, CancellationToken cancellationToken)
    {
        var page = $"{guide.Door}/shop.json";
        var pod = await guide.PodAsync("catalogue", "v1", cancellationToken);
        await guide.InsideAsync(pod, "post", $"{Here}/break", cancellationToken);
        try
        {
            var visits = await guide.Visitor.AskAsync(page, Requests, cancellationToken);
            var (failed, broken) = (visits.Count(visit => !visit.Succeeded), visits.Count(visit => visit.Pod == pod.Metadata.Name));
            var others = visits.Where(visit => visit.Pod is not null).GroupBy(visit => visit.Pod!).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => $"{group.Key} {group.Count()}");
            return [new(failed == 0 && broken == 0, $"{Requests} requests: {failed} failed, {pod.Metadata.Name} answered {broken}; {string.Join(", ", others)}")];
        }
        finally
        {
            await guide.InsideAsync(pod, "post", $"{Here}/mend", cancellationToken);
        }
    }
}
