namespace Weft.Cli.Demo.Tour.Steps;

/// <summary>Tokens are checked at the front door; what is behind it is told who asks.</summary>
internal sealed class LoginStep(Login login) : TourStep("Login: a token at the front door", "tour-5-login.yaml")
{
    // A customer, by what is in the token.
    private const string Customer = "customer-1";

    internal override async Task<IReadOnlyList<Finding>> TryAsync(TourGuide guide, CancellationToken cancellationToken)
    {
        var address = $"{guide.Door}/account";
        var token = login.Token(Customer);
        var file = Path.Combine(guide.Shop.Apps, "token");
        await File.WriteAllTextAsync(file, token, cancellationToken);
        var (without, forged, valid) = (await guide.Visitor.AskAsync(address, cancellationToken), await guide.Visitor.AskAsync(address, cancellationToken, token: login.Forged(Customer)),
            await guide.Visitor.AskAsync(address, cancellationToken, token: token));
        return
        [
            new(without.Status == 403, $"without a token: {without.Status}", $"curl -i {address}"),
            new(forged.Status == 401, $"with a token that somebody else signed: {forged.Status}"),
            new(valid.Succeeded && valid.Text.Contains(Customer, StringComparison.Ordinal), $"with a token: {valid.Status}, {valid.Text}", $"curl -H \"Authorization: Bearer $(cat {file})\" {address}"),
        ];
    }
}
