//! What both kinds of channels have: the receiver, and the counts of the sender.

/// The methods of a receiver.
macro_rules! receiver {
    ($receiver:ident) => {
        impl<T> $receiver<T> {
            /// Waits for a value; `None` once there is no sender and no value. Cancel safe.
            #[track_caller]
            pub fn recv(&mut self) -> impl Future<Output = Option<T>> {
                let site = Location::caller();
                async move {
                    let object = &self.channel.object;
                    point_of_end(object, &self.end, Access::Receive, site);
                    cooperative(object.waiting(Share::Message, site, self.inner.recv())).await
                }
            }

            /// Waits for values, and takes at most `limit` that are there; gives how many. Cancel safe.
            #[track_caller]
            pub fn recv_many(
                &mut self,
                buffer: &mut Vec<T>,
                limit: usize,
            ) -> impl Future<Output = usize> {
                let site = Location::caller();
                async move {
                    let object = &self.channel.object;
                    point_of_end(object, &self.end, Access::Receive, site);
                    let inner = self.inner.recv_many(buffer, limit);
                    cooperative(object.waiting(Share::Message, site, inner)).await
                }
            }

            /// A value, if one is there.
            ///
            /// # Errors
            ///
            /// Fails if none is, or if there is no sender either.
            #[track_caller]
            pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
                point_of_end(&self.channel.object, &self.end, Access::Receive, Location::caller());
                self.inner.try_recv()
            }

            /// As `recv`, on a thread.
            ///
            /// # Panics
            ///
            /// Panics within a task.
            #[track_caller]
            pub fn blocking_recv(&mut self) -> Option<T> {
                block_on_here(self.recv())
            }

            /// As `recv_many`, on a thread.
            ///
            /// # Panics
            ///
            /// Panics within a task.
            #[track_caller]
            pub fn blocking_recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
                block_on_here(self.recv_many(buffer, limit))
            }

            /// Takes no values any more; those that were sent can still be received.
            #[track_caller]
            pub fn close(&mut self) {
                point_of_end(&self.channel.object, &self.end, Access::Close, Location::caller());
                self.inner.close();
            }

            /// Whether the channel takes no values any more.
            #[track_caller]
            pub fn is_closed(&self) -> bool {
                point(&self.channel.object, Access::Read, Location::caller());
                self.inner.is_closed()
            }

            /// Whether no value is there.
            #[track_caller]
            pub fn is_empty(&self) -> bool {
                point(&self.channel.object, Access::Read, Location::caller());
                self.inner.is_empty()
            }

            /// How many values are there.
            #[track_caller]
            pub fn len(&self) -> usize {
                point(&self.channel.object, Access::Read, Location::caller());
                self.inner.len()
            }

            /// Polls for a value.
            #[track_caller]
            pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
                point_of_end(&self.channel.object, &self.end, Access::Receive, Location::caller());
                let coop = ready!(poll_proceed(cx));
                let output = ready!(self.inner.poll_recv(cx));
                coop.made_progress();
                Poll::Ready(output)
            }

            /// Polls for values, and takes at most `limit`.
            #[track_caller]
            pub fn poll_recv_many(
                &mut self,
                cx: &mut Context<'_>,
                buffer: &mut Vec<T>,
                limit: usize,
            ) -> Poll<usize> {
                point_of_end(&self.channel.object, &self.end, Access::Receive, Location::caller());
                let coop = ready!(poll_proceed(cx));
                let output = ready!(self.inner.poll_recv_many(cx, buffer, limit));
                coop.made_progress();
                Poll::Ready(output)
            }

            /// How many senders there are.
            #[track_caller]
            pub fn sender_strong_count(&self) -> usize {
                point(&self.channel.object, Access::Read, Location::caller());
                self.inner.sender_strong_count()
            }

            /// How many weak senders there are.
            #[track_caller]
            pub fn sender_weak_count(&self) -> usize {
                point(&self.channel.object, Access::Read, Location::caller());
                self.inner.sender_weak_count()
            }
        }

        impl<T> Drop for $receiver<T> {
            fn drop(&mut self) {
                self.channel.leave();
                self.channel.object.remove_end(&self.end);
            }
        }

        opaque!([T] $receiver<T>, stringify!($receiver));
    };
}

/// What both kinds of senders, and their weak ones, can do.
macro_rules! sender {
    ($sender:ident, $weak:ident) => {
        impl<T> $sender<T> {
            /// Another sender of the channel.
            fn of(inner: real::$sender<T>, channel: Arc<Channel>) -> $sender<T> {
                let end = channel.object.add_sender();
                $sender { inner: Some(inner), channel, end }
            }

            fn inner(&self) -> &real::$sender<T> {
                self.inner.as_ref().expect("it is only taken by who consumes the sender")
            }

            /// Waits until the receiver is gone, or closed. Cancel safe.
            #[track_caller]
            pub fn closed(&self) -> impl Future<Output = ()> {
                let site = Location::caller();
                async move {
                    point_of_end(&self.channel.object, &self.end, Access::Wait, site);
                    self.inner().closed().await;
                }
            }

            /// Whether the receiver is gone, or closed.
            #[track_caller]
            pub fn is_closed(&self) -> bool {
                point(&self.channel.object, Access::Read, Location::caller());
                self.inner().is_closed()
            }

            /// Whether both send into the same channel.
            pub fn same_channel(&self, other: &Self) -> bool {
                self.inner().same_channel(other.inner())
            }

            /// A sender that does not keep the channel open.
            pub fn downgrade(&self) -> $weak<T> {
                self.channel.object.lose_senders();
                $weak { inner: self.inner().downgrade(), channel: self.channel.clone() }
            }

            /// How many senders there are.
            #[track_caller]
            pub fn strong_count(&self) -> usize {
                point(&self.channel.object, Access::Read, Location::caller());
                self.inner().strong_count()
            }

            /// How many weak senders there are.
            #[track_caller]
            pub fn weak_count(&self) -> usize {
                point(&self.channel.object, Access::Read, Location::caller());
                self.inner().weak_count()
            }
        }

        impl<T> Drop for $sender<T> {
            fn drop(&mut self) {
                // Only the last makes a difference to others.
                if self.inner.as_ref().is_some_and(|inner| inner.strong_count() == 1) {
                    self.channel.leave();
                }
                self.channel.object.remove_end(&self.end);
            }
        }

        impl<T> Clone for $sender<T> {
            fn clone(&self) -> Self {
                $sender::of(self.inner().clone(), self.channel.clone())
            }
        }

        opaque!([T] $sender<T>, stringify!($sender));

        impl<T> $weak<T> {
            /// A sender, if the channel still is open.
            #[track_caller]
            pub fn upgrade(&self) -> Option<$sender<T>> {
                point(&self.channel.object, Access::Read, Location::caller());
                Some($sender::of(self.inner.upgrade()?, self.channel.clone()))
            }

            /// How many senders there are.
            #[track_caller]
            pub fn strong_count(&self) -> usize {
                point(&self.channel.object, Access::Read, Location::caller());
                self.inner.strong_count()
            }

            /// How many weak senders there are.
            #[track_caller]
            pub fn weak_count(&self) -> usize {
                point(&self.channel.object, Access::Read, Location::caller());
                self.inner.weak_count()
            }
        }

        impl<T> Clone for $weak<T> {
            fn clone(&self) -> Self {
                $weak { inner: self.inner.clone(), channel: self.channel.clone() }
            }
        }

        opaque!([T] $weak<T>, stringify!($weak));
    };
}

pub(super) use {receiver, sender};
