using System.Net;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Mesh.Registration;

/// <summary>The meshed pods of this node, as its agent has told before their first container started.</summary>
internal interface ILocalWorkloads
{
    LocalWorkload? Find(IPAddress address);
}

internal sealed record LocalWorkload(string Uid, string Namespace, string Name, string ServiceAccount, ValueMap Labels);
