using Cake.Core;

namespace Cake.Frosting;

/// <summary>Ends a run.</summary>
public interface IFrostingTeardown
{
    /// <summary>Called after the last task, also when one failed.</summary>
    /// <param name="context">The context.</param>
    /// <param name="info">How the run went; it holds the exception that a task threw.</param>
    void Teardown(ICakeContext context, ITeardownContext info);
}
