/** Schemas that need no file, by name, each with the field that is the key. */
export const QUICKSTARTS = {
  users: {
    key: 'userid',
    schema: {
      name: 'sluice.datagen.User',
      fields: [
        { field: 'userid', type: 'string', format: 'User_{}', range: [1, 100] },
        { field: 'registertime', type: 'timestamp', range: ['2020-01-01T00:00:00Z', '2025-12-31T23:59:59Z'] },
        { field: 'regionid', type: 'string', format: 'Region_{}', range: [1, 9] },
        { field: 'gender', type: 'string', options: ['FEMALE', 'MALE', 'OTHER'] },
        {
          field: 'interests',
          type: 'array',
          length: [0, 3],
          items: { type: 'string', options: ['travel', 'sports', 'music', 'books', 'news'] },
        },
        { field: 'phone', type: 'string', format: '555-{}', range: [1000, 9999], nulls: 0.1 },
      ],
    },
  },
  pageviews: {
    key: 'userid',
    schema: {
      name: 'sluice.datagen.PageView',
      fields: [
        { field: 'viewid', type: 'int64', sequence: { start: 1 } },
        { field: 'viewtime', type: 'timestamp', sequence: { start: '2026-01-01T00:00:00Z', step: 100 } },
        { field: 'userid', type: 'string', format: 'User_{}', range: [1, 100] },
        { field: 'pageid', type: 'string', format: 'Page_{}', range: [1, 500] },
      ],
    },
  },
  orders: {
    key: 'orderid',
    schema: {
      name: 'sluice.datagen.Order',
      fields: [
        { field: 'orderid', type: 'int64', sequence: { start: 1 } },
        { field: 'ordertime', type: 'timestamp', sequence: { start: '2026-01-01T00:00:00Z', step: 1000 } },
        { field: 'itemid', type: 'string', format: 'Item_{}', range: [1, 1000] },
        { field: 'units', type: 'int32', range: [1, 20] },
        { field: 'amount', type: 'decimal', scale: 2, range: ['0.50', '999.99'] },
        { field: 'shipdate', type: 'date', range: ['2026-01-02', '2026-12-31'], nulls: 0.2 },
        {
          field: 'address',
          type: 'struct',
          name: 'sluice.datagen.Address',
          fields: [
            { field: 'city', type: 'string', format: 'City_{}', range: [1, 99] },
            { field: 'zipcode', type: 'int32', range: [10000, 99999] },
          ],
        },
      ],
    },
  },
  stock_trades: {
    key: 'symbol',
    schema: {
      name: 'sluice.datagen.StockTrade',
      fields: [
        { field: 'tradeid', type: 'int64', sequence: { start: 1 } },
        { field: 'tradetime', type: 'timestamp', sequence: { start: '2026-01-01T09:00:00Z', step: 10 } },
        { field: 'side', type: 'string', options: ['BUY', 'SELL'] },
        { field: 'symbol', type: 'string', options: ['ALFA', 'BRVO', 'CHRL', 'DLTA', 'ECHO', 'FXTR', 'GOLF', 'HTEL'] },
        { field: 'quantity', type: 'int32', range: [1, 5000] },
        { field: 'price', type: 'decimal', scale: 4, range: ['1.0000', '999.9999'] },
        { field: 'account', type: 'string', format: 'ACC-{}', range: [100, 999] },
        { field: 'userid', type: 'string', format: 'User_{}', range: [1, 100] },
      ],
    },
  },
} as const;

export type QuickstartName = keyof typeof QUICKSTARTS;
