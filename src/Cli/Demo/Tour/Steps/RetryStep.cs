namespace Weft.Cli.Demo.Tour.Steps;

/// <summary>The same faulty service, with and without a second try.</summary>
internal sealed class RetryStep() : TourStep("Retries: v2 answers every third request with 500", "tour-2-retries.yaml")
{
    private const int Requests = 60;

    internal override async Task<string?> BeforeAsync(TourGuide guide, CancellationToken cancellationToken) =>
        $"{await FailedAsync(guide, cancellationToken)} of {Requests} testers saw an error";

    internal override async Task<IReadOnlyList<Finding>> TryAsync(TourGuide guide, CancellationToken cancellationToken)
    {
        var failed = await FailedAsync(guide, cancellationToken);
        return [new(failed == 0, $"{failed} of {Requests} testers saw an error")];
    }

    private static async Task<int> FailedAsync(TourGuide guide, CancellationToken cancellationToken) =>
        (await guide.Visitor.AskAsync($"{guide.Door}/shop.json", Requests, cancellationToken, CanaryStep.Tester)).Count(visit => !visit.Succeeded);
}
