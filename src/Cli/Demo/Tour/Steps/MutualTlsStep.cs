namespace Weft.Cli.Demo.Tour.Steps;

/// <summary>Who has no identity reaches nobody, also not by a pod's own address.</summary>
internal sealed class MutualTlsStep() : TourStep("Mutual TLS: pods answer to identities of the mesh alone", "tour-3-mutual-tls.yaml")
{
    internal override async Task<string?> BeforeAsync(TourGuide guide, CancellationToken cancellationToken)
    {
        var address = await AddressAsync(guide, cancellationToken);
        await guide.SoonAsync(async () => (await guide.Visitor.AskAsync(address, cancellationToken)).Succeeded, cancellationToken);
        return $"this machine asks a cart's pod at {address}: {Told(await guide.Visitor.AskAsync(address, cancellationToken))}";
    }

    internal override async Task<IReadOnlyList<Finding>> TryAsync(TourGuide guide, CancellationToken cancellationToken)
    {
        var address = await AddressAsync(guide, cancellationToken);
        var direct = await guide.Visitor.AskAsync(address, cancellationToken);
        var door = await guide.Visitor.AskAsync($"{guide.Door}/shop.json", 20, cancellationToken);
        return
        [
            new(direct.Status == 0, $"this machine, past the mesh: {Told(direct)}", $"curl {address}"),
            new(door.All(visit => visit.Succeeded), $"through the front door, which has an identity: {door.Count(visit => visit.Succeeded)} of {door.Count} answered"),
        ];
    }

    private static async Task<string> AddressAsync(TourGuide guide, CancellationToken cancellationToken) =>
        $"http://{(await guide.PodAsync("cart", null, cancellationToken)).Status.PodIP}:8080/carts/me";

    private static string Told(Visit visit) => visit.Status == 0 ? "refused" : $"status {visit.Status}";
}
