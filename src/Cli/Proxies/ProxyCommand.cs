using System.CommandLine;

namespace Weft.Cli.Proxies;

/// <summary>`weft proxy --config FILE`. Without a file `weft proxy` is the daemon of a node, started by the supervisor and told apart before the command line is parsed.</summary>
internal static class ProxyCommand
{
    public static Command Build(CommandHost host)
    {
        var config = new Option<string>("--config") { Description = "The file; docs/proxy.md has ten to begin with", Required = true };
        var check = new Option<bool>("--check") { Description = "Only say whether the file is fine, with every error in it" };
        var command = new Command("proxy", "A reverse proxy and balancer by itself, without a cluster. Reads the file again when it changes.\n\n"
            + "  weft proxy --config site.yaml            serve\n"
            + "  weft proxy --config site.yaml --check    what is wrong with it?\n\n"
            + "  SIGHUP     reads the file again now\n"
            + "  SIGUSR2    hot restart: a new process of the program takes over, the old one drains\n"
            + "  SIGTERM    drains, then ends; the second one does not wait")
        {
            config, check,
        };
        command.SetAction((parsed, _) => host.RunProxy(parsed.GetValue(config)!, parsed.GetValue(check)));
        return command;
    }
}
