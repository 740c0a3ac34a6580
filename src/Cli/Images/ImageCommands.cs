using System.CommandLine;
using Weft.Cli.Clusters;
using Weft.Cli.Objects;
using Weft.Registry.Access;
using Weft.Registry.Names;

namespace Weft.Cli.Images;

/// <summary>`weft image`: the cluster's own registry by hand. docker and skopeo do the same to its port.</summary>
internal static class ImageCommands
{
    internal static Command Build(TimeProvider time) =>
        new("image", "Images of the cluster's own registry: load, list, remove, login") { Load(time), List(), Remove(), Login() };

    private static Command Load(TimeProvider time)
    {
        var files = new Argument<string[]>("file") { Arity = ArgumentArity.OneOrMore, Description = "OCI archive, OCI layout, what 'docker save' wrote, or - for standard input" };
        var name = new Option<string?>("--as") { Description = "Name of the image, instead of the one in the file" };
        var command = new Command("load", "Bring images from files into the cluster: weft image load app.tar") { files, name };
        command.SetAction((parsed, cancellationToken) => CommandGuard.RunAsync("image load", async () =>
        {
            using var registry = RegistryClient.Connect(WeftCommands.Paths(parsed), toChange: true);
            return await new LoadCommand(registry, Console.OpenStandardInput, Console.Out, !Console.IsOutputRedirected, time)
                .RunAsync(parsed.GetValue(files)!, parsed.GetValue(name), cancellationToken);
        }));
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "Show the images of the cluster's registry");
        command.Aliases.Add("ls");
        command.SetAction((parsed, cancellationToken) => CommandGuard.RunAsync("image list", async () =>
        {
            using var registry = RegistryClient.Connect(WeftCommands.Paths(parsed), toChange: false);
            return await new ListCommand(registry, Console.Out).RunAsync(cancellationToken);
        }));
        return command;
    }

    private static Command Remove()
    {
        var names = new Argument<string[]>("name") { Arity = ArgumentArity.OneOrMore, Description = "NAME[:TAG] or NAME@DIGEST" };
        var command = new Command("remove", "Remove images from the cluster's registry; pods that run from them go on: weft image remove my-app:1.0") { names };
        command.Aliases.Add("rm");
        command.SetAction((parsed, cancellationToken) => CommandGuard.RunAsync("image remove", async () =>
        {
            using var registry = RegistryClient.Connect(WeftCommands.Paths(parsed), toChange: true);
            foreach (var name in parsed.GetValue(names)!)
            {
                var image = ImageReference.TryParse(name) ?? throw new CommandException($"'{name}' is no name of an image: for example my-app:1.0");
                if (!await registry.DeleteAsync(image, cancellationToken))
                    throw new CommandException($"there is no image {image} in the registry (weft image list)");
                Console.Out.WriteLine($"removed {name}");
            }

            return 0;
        }));
        return command;
    }

    private static Command Login()
    {
        var command = new Command("login", "Say how docker and skopeo push into the cluster's registry");
        command.SetAction(parsed => CommandGuard.RunAsync("image login", () =>
        {
            var paths = WeftCommands.Paths(parsed);
            using var registry = RegistryClient.Connect(paths, toChange: false);
            Console.Out.WriteLine($"""
                The password of user '{PushPassword.UserName}' is in {paths.RegistryPassword}, which root alone may read.

                docker:
                  sudo cat {paths.RegistryPassword} | docker login {registry.Host} --username {PushPassword.UserName} --password-stdin
                  docker tag my-app:1.0 {registry.Host}/my-app:1.0
                  docker push {registry.Host}/my-app:1.0
                skopeo:
                  sudo cat {paths.RegistryPassword} | skopeo login {registry.Host} --tls-verify=false --username {PushPassword.UserName} --password-stdin
                  skopeo copy --dest-tls-verify=false docker-archive:my-app.tar docker://{registry.Host}/my-app:1.0

                In a manifest the image is 'my-app:1.0'. An image of another registry keeps its name: push {registry.Host}/quay.io/team/app:1 for quay.io/team/app:1.
                """);
            return Task.FromResult(0);
        }));
        return command;
    }
}
