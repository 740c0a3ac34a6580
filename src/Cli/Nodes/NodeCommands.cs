using System.CommandLine;
using System.Globalization;
using Weft.Cli.Objects;

namespace Weft.Cli.Nodes;

/// <summary>`weft agent` and `weft token`.</summary>
internal static class NodeCommands
{
    private static readonly TimeSpan DefaultLife = TimeSpan.FromHours(24);

    internal static Command Agent(CommandHost host)
    {
        var join = new Option<string?>("--join") { Description = "The cluster's API server: https://HOST:6443" };
        var token = new Option<string?>("--token") { Description = "From 'weft token create' on the cluster's machine; WEFT_TOKEN does as well, and is not seen in the list of processes" };
        var name = new Option<string?>("--node-name") { Description = "Name of this node (default: the machine's)" };
        var ip = new Option<string?>("--node-ip") { Description = "Address by which other nodes reach this one (default: that of the default route's interface)" };
        var command = new Command("agent", "Make this machine a node of a cluster that runs elsewhere; without --join, start the node that it is.") { join, token, name, ip };
        command.SetAction((parsed, cancellationToken) => CommandGuard.RunAsync("agent", () => new JoinCommand(host.Time, Console.Out, Console.Error).RunAsync(
            new(WeftCommands.Paths(parsed), parsed.GetValue(join), parsed.GetValue(token) ?? Environment.GetEnvironmentVariable("WEFT_TOKEN"), parsed.GetValue(name), parsed.GetValue(ip), host.Executable),
            cancellationToken)));
        return command;
    }

    internal static Command Token(CommandHost host)
    {
        var life = new Option<string?>("--ttl") { Description = "How long it is good: 30m, 24h (the default), 7d, or 0 for ever" };
        var description = new Option<string>("--description") { Description = "What it is for", DefaultValueFactory = _ => "" };
        var create = new Command("create", "Make a token and print it: the only time that it can be seen.") { life, description };
        create.SetAction((parsed, cancellationToken) => CommandGuard.RunAsync("token create", async () =>
        {
            var access = ClusterConnection.Find(WeftCommands.Paths(parsed));
            using var client = access.Connect(host.Time);
            var authority = access.CertificateAuthorityPem ?? throw new CommandException("the kubeconfig names no certificate authority: run it where the cluster runs (sudo weft token create)");
            Console.Out.WriteLine((await new TokenStore(client, host.Time).CreateAsync(authority, Life(parsed.GetValue(life)), parsed.GetValue(description)!, cancellationToken)).Text);
            return 0;
        }));

        var list = new Command("list", "Tokens that there are: id, until when, what for. Not the tokens themselves: the cluster does not know them.");
        list.SetAction((parsed, cancellationToken) => CommandGuard.RunAsync("token list", async () =>
        {
            using var client = ClusterConnection.Find(WeftCommands.Paths(parsed)).Connect(host.Time);
            Console.Out.WriteLine("ID         EXPIRES                 DESCRIPTION");
            foreach (var known in await new TokenStore(client, host.Time).ListAsync(cancellationToken))
            {
                var until = known.Expires is not { } end ? "never" : known.IsOver(host.Time.GetUtcNow()) ? "expired" : end.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
                Console.Out.WriteLine($"{known.Id,-10} {until,-23} {known.Description}");
            }

            return 0;
        }));

        var id = new Argument<string>("ID") { Description = "From 'weft token list'" };
        var revoke = new Command("revoke", "End a token. Nodes that joined with it stay.") { id };
        revoke.SetAction((parsed, cancellationToken) => CommandGuard.RunAsync("token revoke", async () =>
        {
            using var client = ClusterConnection.Find(WeftCommands.Paths(parsed)).Connect(host.Time);
            var name = parsed.GetValue(id)!;
            if (!await new TokenStore(client, host.Time).RevokeAsync(name, cancellationToken))
                throw new CommandException($"there is no token '{name}' (weft token list)");
            Console.Out.WriteLine($"token {name} is revoked");
            return 0;
        }));
        return new Command("token", "Tokens with which other machines join the cluster.") { create, list, revoke };
    }

    /// <summary>30m, 24h, 7d; null for 0.</summary>
    internal static TimeSpan? Life(string? text)
    {
        if (text is null)
            return DefaultLife;
        if (text == "0")
            return null;
        if (text.Length > 1 && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= 100_000)
        {
            switch (text[^1])
            {
                case 's': return TimeSpan.FromSeconds(number);
                case 'm': return TimeSpan.FromMinutes(number);
                case 'h': return TimeSpan.FromHours(number);
                case 'd': return TimeSpan.FromDays(number);
            }
        }

        throw new CommandException($"--ttl {text}: use a number with s, m, h or d, such as 30m, 24h or 7d, or 0 for a token without an end");
    }
}
