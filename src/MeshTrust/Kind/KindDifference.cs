namespace MeshTrust.Kind;

/// <summary>One thing in which a cluster that is there differs from what is wanted.</summary>
/// <param name="Message">What it is: <c>image</c>, <c>nodes</c>, <c>podSubnet</c>, <c>serviceSubnet</c>, <c>ipFamily</c>, <c>network</c> or <c>configuration</c>.</param>
/// <param name="There">What is there.</param>
/// <param name="Wanted">What is wanted.</param>
public sealed record KindDifference(string Message, string There, string Wanted)
{
    /// <summary>As messages tell it.</summary>
    public override string ToString() => $"{Message} is {There}, wanted is {Wanted}";
}
