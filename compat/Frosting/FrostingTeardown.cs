using Cake.Core;

namespace Cake.Frosting;

/// <summary>Ends a run. For any context.</summary>
public abstract class FrostingTeardown : FrostingTeardown<ICakeContext>
{
}

/// <summary>Ends a run.</summary>
/// <typeparam name="TContext">The context that it needs.</typeparam>
public abstract class FrostingTeardown<TContext> : IFrostingTeardown
    where TContext : ICakeContext
{
    /// <summary>Called after the last task, also when one failed.</summary>
    /// <param name="context">The context.</param>
    /// <param name="info">How the run went; it holds the exception that a task threw.</param>
    public abstract void Teardown(TContext context, ITeardownContext info);

    void IFrostingTeardown.Teardown(ICakeContext context, ITeardownContext info) => Teardown((TContext)context, info);
}
