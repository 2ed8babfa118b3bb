namespace Cake.Frosting.MeshTrust;

/// <summary>What a host says about itself when it adds the tasks.</summary>
public sealed class MeshTrustOptions
{
    /// <summary>
    /// Arguments of the host's own tasks, without dashes: MeshTrust refuses an argument that nobody knows, with the nearest name,
    /// so it has to be told of those that others take. Cake's own are known.
    /// </summary>
    public IReadOnlyList<string> OtherArguments { get; set; } = [];
}
