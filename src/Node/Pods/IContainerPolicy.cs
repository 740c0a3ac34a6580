using Weft.Api.Core;
using Weft.Node.Runtime;

namespace Weft.Node.Pods;

/// <summary>Everything in which a container of an image and a command of this machine differ. Pure.</summary>
internal interface IContainerPolicy
{
    /// <summary>The runtime's id of the image; null: none.</summary>
    string? ImageId { get; }

    /// <exception cref="ContainerConfigException">There is nothing to run.</exception>
    (IReadOnlyList<string> Command, IReadOnlyList<string> Args) Words(Container container, Func<string, string> expand);

    /// <exception cref="ContainerConfigException">It would be root where the pod forbids that.</exception>
    ProcessIdentity User(Pod pod, Container container);

    /// <summary>Variables that the node gives; the pod's own win over them.</summary>
    IEnumerable<KeyValuePair<string, string>> Environment(Pod pod, ProcessIdentity user);

    /// <summary>What it has when it says nothing.</summary>
    IReadOnlyList<string> Capabilities(ProcessIdentity user);

    bool NoNewPrivileges(SecurityContext? context);

    /// <summary>Whether the runtime's system call filter holds for a container that names no profile.</summary>
    bool SeccompByDefault { get; }

    /// <summary>Whether the container needs a hosts file of its own even with the machine's network.</summary>
    bool OwnHostsFile { get; }

    /// <summary>What is asked for and cannot be given here.</summary>
    /// <exception cref="ContainerConfigException">What, and what to write instead.</exception>
    void Check(Pod pod, Container container);
}
