namespace Weft.Node.Network.Routes;

public static class NodeAnnotations
{
    /// <summary>On a Node: who forwards to it for those who are not on its link. The nodes of one machine name the machine.</summary>
    public const string NextHop = "weft.dev/next-hop";
}
