namespace Weft.Cli.Demo.Tour.Steps;

/// <summary>The rules of all steps before, told for requests that nobody has to send.</summary>
internal sealed class WhyStep() : TourStep("Why: what becomes of a request, told by the proxy that would send it", manifest: null)
{
    internal override async Task<IReadOnlyList<Finding>> TryAsync(TourGuide guide, CancellationToken cancellationToken) =>
    [
        await AskAsync(guide, "catalogue-v1", PolicyStep.Cart, "=> REFUSED 403", cancellationToken),
        await AskAsync(guide, "front", PolicyStep.Cart, "=> FORWARDED", cancellationToken),
    ];

    private static async Task<Finding> AskAsync(TourGuide guide, string deployment, string address, string end, CancellationToken cancellationToken)
    {
        var lines = (await guide.WhyAsync($"deploy/{deployment}", address, cancellationToken)).Split('\n');
        var last = lines.LastOrDefault(line => line.StartsWith("=> ", StringComparison.Ordinal)) ?? string.Join(' ', lines);
        return new(last.StartsWith(end, StringComparison.Ordinal), $"{deployment} to {address}: {last[3..]}", $"weft why --from deploy/{deployment} -n {Shop.Namespace} {address}");
    }
}
