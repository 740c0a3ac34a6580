namespace Weft.Proxy.Config.Units;

/// <summary>Names of the front door's route tables, which no host of the mesh has.</summary>
public static class DoorTables
{
    private const string Prefix = "gateway/";

    public static string Of(int port) => $"{Prefix}{port}";

    /// <summary>Who is there is asked by routes here alone; elsewhere it is asked by the workload that is called.</summary>
    public static bool Has(string table) => table.StartsWith(Prefix, StringComparison.Ordinal);
}
