namespace Cake.Frosting;

/// <summary>Prepares and ends a run.</summary>
public interface IFrostingLifetime : IFrostingSetup, IFrostingTeardown
{
}
