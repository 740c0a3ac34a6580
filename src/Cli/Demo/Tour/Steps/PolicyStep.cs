namespace Weft.Cli.Demo.Tour.Steps;

/// <summary>An account of the mesh is not enough where a policy names another one.</summary>
internal sealed class PolicyStep() : TourStep("Policy: carts are for the account of the front alone", "tour-4-policy.yaml")
{
    internal const string Cart = "http://cart/carts/me";

    internal override async Task<string?> BeforeAsync(TourGuide guide, CancellationToken cancellationToken)
    {
        var catalogue = await guide.PodAsync("catalogue", "v1", cancellationToken);
        await guide.SoonAsync(async () => (await guide.InsideAsync(catalogue, "get", Cart, cancellationToken)).StartsWith("200", StringComparison.Ordinal), cancellationToken);
        return $"the catalogue asks {Cart}: {await guide.InsideAsync(catalogue, "get", Cart, cancellationToken)}";
    }

    internal override async Task<IReadOnlyList<Finding>> TryAsync(TourGuide guide, CancellationToken cancellationToken)
    {
        var stranger = await guide.InsideAsync(await guide.PodAsync("catalogue", "v1", cancellationToken), "get", Cart, cancellationToken);
        var door = await guide.Visitor.AskAsync($"{guide.Door}/shop.json", cancellationToken);
        return
        [
            new(stranger.StartsWith("403", StringComparison.Ordinal), $"the catalogue asks {Cart}: {stranger}", guide.InsideCommand("catalogue-v1", "get", Cart)),
            new(door.Succeeded, $"the front, for a visitor: {door.Status}"),
        ];
    }
}
