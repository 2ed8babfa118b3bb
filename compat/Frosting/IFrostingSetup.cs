using Cake.Core;

namespace Cake.Frosting;

/// <summary>Prepares a run.</summary>
public interface IFrostingSetup
{
    /// <summary>Called before the first task.</summary>
    /// <param name="context">The context.</param>
    /// <param name="info">What will run.</param>
    void Setup(ICakeContext context, ISetupContext info);
}
